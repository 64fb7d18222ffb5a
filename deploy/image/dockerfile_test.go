package main

import (
	"os"
	"reflect"
	"testing"
	"time"
)

func TestDockerfileIsUnderstood(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	got, err := parseDockerfile(string(text))
	if err != nil {
		t.Fatal(err)
	}
	if got.Labels["org.opencontainers.image.licenses"] != "Apache-2.0" || len(got.Labels) != 5 {
		t.Errorf("labels: %q", got.Labels)
	}
	got.Labels = nil
	want := settings{
		User: "65532:65532", Env: []string{"HUBGATE_CONFIG=/etc/hubgate/hubgate.yaml"},
		ExposedPorts: map[string]struct{}{"8080/tcp": {}, "9090/tcp": {}},
		Entrypoint:   []string{"/hubgate"}, Cmd: []string{"serve"},
		Healthcheck: healthcheck{[]string{"CMD", "/hubgate", "healthcheck"},
			10 * time.Second, 6 * time.Second, 5 * time.Second},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

// TestUnknownInstructionsFail: an instruction that the layout lacks would make it differ from the Dockerfile's image.
func TestUnknownInstructionsFail(t *testing.T) {
	t.Parallel()
	for _, last := range []string{
		"COPY hubgate.yaml /etc/hubgate/hubgate.yaml", "STOPSIGNAL SIGINT", "WORKDIR /work", "user 0",
		`LABEL a=b`, `LABEL a="$VERSION"`, `HEALTHCHECK NONE`,
		`HEALTHCHECK --interval=1 --timeout=1s --start-period=1s CMD ["a"]`,
		"ENTRYPOINT /hubgate", "CMD serve", "FROM debian",
	} {
		if _, err := parseDockerfile("FROM golang AS build\nUSER 0\nFROM scratch\n" + last + "\n"); err == nil {
			t.Errorf("%s was accepted", last)
		}
	}
}
