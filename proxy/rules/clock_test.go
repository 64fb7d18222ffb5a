package rules

import (
	"time"

	"github.com/hubgate/hubgate/internal/setting"
)

type words = setting.Words

var fixedNow = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
