package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
)

// settings is the configuration of the image, in the form that registries store. OCI's specification has no health
// check; Docker reads it from the same place as in its own format.
type settings struct {
	User         string              `json:"User"`
	ExposedPorts map[string]struct{} `json:"ExposedPorts"`
	Env          []string            `json:"Env"`
	Entrypoint   []string            `json:"Entrypoint"`
	Cmd          []string            `json:"Cmd"`
	Labels       map[string]string   `json:"Labels"`
	Healthcheck  healthcheck         `json:"Healthcheck"`
}

type healthcheck struct {
	Test        []string
	Interval    time.Duration
	Timeout     time.Duration
	StartPeriod time.Duration
}

// parseDockerfile returns the configuration that the last stage of a Dockerfile sets. It fails for every instruction
// and form that it does not know, so that nothing in the Dockerfile is missing in the image.
func parseDockerfile(text string) (settings, error) {
	s := settings{ExposedPorts: map[string]struct{}{}, Labels: map[string]string{}}
	last := false
	for _, line := range instructions(text) {
		name, rest, _ := strings.Cut(line, " ")
		switch {
		case name == "FROM":
			last = rest == "scratch"
		case last:
			if err := s.set(name, strings.TrimSpace(rest)); err != nil {
				return s, fmt.Errorf("%s: %w", line, err)
			}
		}
	}
	if !last {
		return s, errors.New("the last stage must be FROM scratch")
	}
	return s, nil
}

var continued = regexp.MustCompile(`\\\n\s*`)

// instructions returns the instructions, without comments, each on one line.
func instructions(text string) []string {
	var lines []string
	for line := range strings.Lines(continued.ReplaceAllString(text, "")) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			lines = append(lines, line)
		}
	}
	return lines
}

func (s *settings) set(name, rest string) error {
	switch name {
	case "COPY": // its files are those of writeFiles
		if rest != "--from=build /image/ /" {
			return errors.New("the layout would lack these files; add them to writeFiles")
		}
		return nil
	case "USER":
		s.User = rest
		return nil
	case "EXPOSE":
		for _, port := range strings.Fields(rest) {
			s.ExposedPorts[port+"/tcp"] = struct{}{}
		}
		return nil
	case "ENV":
		s.Env = append(s.Env, strings.Fields(rest)...)
		return nil
	case "LABEL":
		return s.addLabels(rest)
	case "ENTRYPOINT":
		return json.Unmarshal([]byte(rest), &s.Entrypoint)
	case "CMD":
		return json.Unmarshal([]byte(rest), &s.Cmd)
	case "HEALTHCHECK":
		return s.Healthcheck.parse(rest)
	}
	return errors.New("unknown instruction; add it to deploy/image/dockerfile.go")
}

var label = regexp.MustCompile(`^([a-z0-9.-]+)="([^"\\$]*)"\s*`)

func (s *settings) addLabels(text string) error {
	for text != "" {
		match := label.FindStringSubmatch(text)
		if match == nil {
			return fmt.Errorf("%q is not a label; write name=\"value\"", text)
		}
		s.Labels[match[1]] = match[2]
		text = text[len(match[0]):]
	}
	return nil
}

var command = regexp.MustCompile(`^--interval=(\S+) --timeout=(\S+) --start-period=(\S+) CMD (\[.*\])$`)

func (h *healthcheck) parse(text string) error {
	match := command.FindStringSubmatch(text)
	if match == nil {
		return errors.New("write --interval=D --timeout=D --start-period=D CMD [...]")
	}
	for i, d := range []*time.Duration{&h.Interval, &h.Timeout, &h.StartPeriod} {
		var err error
		if *d, err = time.ParseDuration(match[i+1]); err != nil {
			return err
		}
	}
	var words []string
	err := json.Unmarshal([]byte(match[4]), &words)
	h.Test = append([]string{"CMD"}, words...)
	return err
}
