package validate

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

var updateChart = flag.Bool("update-chart", false, "write what the chart has copies of into deploy/helm/hubgate")

// valuesSchema is values.schema.json, in the order of its keys.
type valuesSchema struct {
	Schema               string          `json:"$schema"`
	Title                string          `json:"title"`
	Type                 string          `json:"type"`
	AdditionalProperties bool            `json:"additionalProperties"`
	Properties           json.RawMessage `json:"properties"`
	Definitions          struct {
		Name        json.RawMessage `json:"name"`
		Host        json.RawMessage `json:"host"`
		Labels      json.RawMessage `json:"labels"`
		SecretNames json.RawMessage `json:"secretNames"`
		Config      json.RawMessage `json:"config"`
	} `json:"definitions"`
}

// A schema of values cannot refer to another file, so it has a copy of hubgate's schema, by which helm install rejects
// mistakes in the configuration, too.
func TestChartSchemaHasTheSchemaOfTheConfiguration(t *testing.T) {
	t.Parallel()
	file := filepath.Join(chartFolder, "values.schema.json")
	have, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	print := exec.CommandContext(t.Context(), "go", "run", "./cmd/hubgate", "schema")
	print.Dir = "../.."
	config, err := print.Output()
	if err != nil {
		t.Fatal(err)
	}
	want := embed(t, have, config)
	if *updateChart {
		if err := os.WriteFile(file, want, 0o644); err != nil {
			t.Fatal(err)
		}
	} else if !bytes.Equal(have, want) {
		t.Error("run go test -C deploy/validate -run ChartSchema -update-chart: hubgate's schema has changed")
	}
}

// embed returns the schema of the values with another schema of the configuration. The outer one declares the dialect.
// The inner one needs a name only if it has references, which then stay inside.
func embed(t *testing.T, values, config []byte) []byte {
	t.Helper()
	var schema valuesSchema
	var inner map[string]any
	decoder := json.NewDecoder(bytes.NewReader(values))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&schema); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(config, &inner); err != nil {
		t.Fatal(err)
	}
	delete(inner, "$schema")
	delete(inner, "$id")
	if bytes.Contains(config, []byte(`"$ref"`)) {
		inner["$id"] = "config.schema.json"
	}
	var err error
	if schema.Definitions.Config, err = json.Marshal(inner); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(schema); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// Every value has a description, and values that are not listed are mistakes.
func TestChartSchemaDescribesEveryValue(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join(chartFolder, "values.schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	var schema map[string]any
	if err := json.Unmarshal(text, &schema); err != nil {
		t.Fatal(err)
	}
	described(t, "", schema, loadChart(t).Values)
}

// described compares a part of the schema with the default values that it is about.
func described(t *testing.T, path string, schema map[string]any, values any) {
	t.Helper()
	defaults, _ := values.(map[string]any)
	properties, _ := schema["properties"].(map[string]any)
	if properties != nil && schema["additionalProperties"] != false {
		t.Errorf("%s: unknown values are accepted", path)
	}
	for name, property := range properties {
		p := property.(map[string]any)
		if text, _ := p["description"].(string); len(text) < 5 {
			t.Errorf("%s.%s has no description", path, name)
		}
		described(t, path+"."+name, p, defaults[name])
	}
	for name := range defaults {
		if _, found := properties[name]; !found && properties != nil {
			t.Errorf("%s.%s is in values.yaml and not in the schema", path, name)
		}
	}
}

func TestChartRejectsMistakes(t *testing.T) {
	t.Parallel()
	for values, want := range map[string]string{
		"{replicaCount: 2}":                                   "replicaCount",
		"{replicas: two}":                                     "/replicas",
		"{image: {tag: 1.2}}":                                 "/image/tag",
		"{image: {digest: abc}}":                              "/image/digest",
		"{secrets: {env: [{name: hubgate}]}}":                 "/secrets/env/0",
		"{secrets: {values: {HUBGATE_KEY: abc}}}":             "values",
		"{service: {type: Loadbalancer}}":                     "/service/type",
		"{fullnameOverride: My_Site}":                         "/fullnameOverride",
		"{nameOverride: My.Site}":                             "/nameOverride",
		"{service: {port: 70000}}":                            "/service/port",
		"{service: {sessionAffinity: Cookie}}":                "/service/sessionAffinity",
		"{ingress: {hosts: [https://www.example.com]}}":       "/ingress/hosts/0",
		"{ingress: {enabled: 'true'}}":                        "/ingress/enabled",
		"{httpRoute: {enabled: true}}":                        "/httpRoute/parentRefs",
		"{podDisruptionBudget: {minAvailable: 1}}":            "minAvailable",
		"{podAnnotations: {a: 1}}":                            "/podAnnotations/a",
		"{serviceMonitor: {interval: 30}}":                    "/serviceMonitor/interval",
		"{resources: {request: {cpu: 1}}}":                    "request",
		"{config: {server: {public_urls: null}}}":             "public_urls",
		"{config: {server: {public_url: https://a.example}}}": "public_url",
		"{config: {proxy: {default: open}}}":                  "/config/proxy/default",
		"{config: {server: {drain_delay: 5}}}":                "/config/server/drain_delay",
		"{config: {server: {admin_listen: '127.0.0.1:9090'}}}": `the kubelet cannot reach 127.0.0.1:9090; ` +
			`write "[${POD_IP}]:9090"`,
		"{config: {server: {listen: ':http'}}}":          `config.server.listen: ":http" must end in a port number`,
		"{config: {session: {redis: {mode: embedded}}}}": "replicas cannot share embedded Redis",
		"{config: {server: {drain_delay: '${DELAY}'}}}":  "terminationGracePeriodSeconds: missing",
		"{terminationGracePeriodSeconds: 35}":            "35 must be more than drain_delay + drain_timeout, 35 seconds",
		"{networkPolicy: {egress: {enabled: true}}}":     "networkPolicy.egress.allow: missing; one rule must lead to Redis",
		"{autoscaling: {enabled: true, minReplicas: 9}}": "autoscaling.minReplicas: 9 is more than maxReplicas, 6",

		"{service: {port: 80}, config: {server: {tls: {http_listen: ':81'}}}}":             "service.port: 80 is the port",
		"{ingress: {enabled: true}, config: {server: {public_urls: ['https://${HOST}']}}}": "ingress.hosts",
	} {
		_, err := render(loadChart(t), minimal(t, values))
		if err == nil {
			t.Errorf("%s is accepted", values)
		} else if !strings.Contains(err.Error(), want) {
			t.Errorf("%s: the message does not contain %q: %v", values, want, err)
		}
	}
}
