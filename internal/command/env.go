package command

import (
	"context"
	"io"

	"github.com/hubgate/hubgate/internal/logging"
)

// Env is the environment of every command.
type Env struct {
	Ctx            context.Context
	Getenv         func(string) string
	Stdout, Stderr io.Writer
	Output         string            // text | json
	detached       []*logging.Writer // writers of a long-running command
}
