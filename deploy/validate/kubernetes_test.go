package validate

import (
	"fmt"
	"os"
	"strings"
	"testing"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	apps "k8s.io/api/apps/v1"
	autoscaling "k8s.io/api/autoscaling/v2"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	policy "k8s.io/api/policy/v1"
	gateway "sigs.k8s.io/gateway-api/apis/v1"
	"sigs.k8s.io/json"
	"sigs.k8s.io/yaml"
)

// manifests are the objects of one installation, by kind. None of these kinds may be missing here that hubgate uses.
type manifests struct {
	deployments []*apps.Deployment
	pods        []*core.Pod
	services    []*core.Service
	configMaps  []*core.ConfigMap
	accounts    []*core.ServiceAccount
	budgets     []*policy.PodDisruptionBudget
	policies    []*networking.NetworkPolicy
	ingresses   []*networking.Ingress
	routes      []*gateway.HTTPRoute
	scalers     []*autoscaling.HorizontalPodAutoscaler
	monitors    []*monitoring.ServiceMonitor
	rules       []*monitoring.PrometheusRule
}

// add decodes one document as the API server would with strict field validation: unknown, misspelled and duplicate
// fields are errors, and so is a kind that manifests does not have, such as a Secret.
func (m *manifests) add(document string) error {
	data, err := yaml.YAMLToJSONStrict([]byte(document))
	if err != nil {
		return err
	}
	var meta struct{ APIVersion, Kind string }
	if err := yaml.Unmarshal(data, &meta); err != nil {
		return err
	}
	switch meta.APIVersion + " " + meta.Kind {
	case "apps/v1 Deployment":
		return decode(data, &m.deployments)
	case "v1 Pod":
		return decode(data, &m.pods)
	case "v1 Service":
		return decode(data, &m.services)
	case "v1 ConfigMap":
		return decode(data, &m.configMaps)
	case "v1 ServiceAccount":
		return decode(data, &m.accounts)
	case "policy/v1 PodDisruptionBudget":
		return decode(data, &m.budgets)
	case "networking.k8s.io/v1 NetworkPolicy":
		return decode(data, &m.policies)
	case "networking.k8s.io/v1 Ingress":
		return decode(data, &m.ingresses)
	case "gateway.networking.k8s.io/v1 HTTPRoute":
		return decode(data, &m.routes)
	case "autoscaling/v2 HorizontalPodAutoscaler":
		return decode(data, &m.scalers)
	case "monitoring.coreos.com/v1 ServiceMonitor":
		return decode(data, &m.monitors)
	case "monitoring.coreos.com/v1 PrometheusRule":
		return decode(data, &m.rules)
	}
	return fmt.Errorf("unexpected kind %q of %q", meta.Kind, meta.APIVersion)
}

func decode[T any](data []byte, objects *[]*T) error {
	object := new(T)
	strict, err := json.UnmarshalStrict(data, object)
	if err == nil && len(strict) > 0 {
		err = strict[0]
	}
	*objects = append(*objects, object)
	return err
}

// addAll decodes the documents of a file.
func (m *manifests) addAll(t *testing.T, name, text string) {
	t.Helper()
	for _, document := range strings.Split("\n"+text, "\n---") {
		if strings.TrimSpace(document) == "" {
			continue
		}
		if err := m.add(document); err != nil {
			t.Errorf("%s: %v\n%s", name, err, document)
		}
	}
}

func TestManifestsRejectMistakes(t *testing.T) {
	t.Parallel()
	for document, want := range map[string]string{
		"{apiVersion: v1, kind: Service, spec: {port: 80}}":                   `unknown field "spec.port"`,
		"{apiVersion: v1, kind: Service, spec: {sessionaffinity: None}}":      `unknown field "spec.sessionaffinity"`,
		"{apiVersion: v1, kind: Service, kind: Service}":                      `already`,
		"{apiVersion: v1, kind: Secret}":                                      `unexpected kind "Secret"`,
		"{apiVersion: apps/v1beta1, kind: Deployment}":                        `unexpected kind "Deployment"`,
		"{apiVersion: apps/v1, kind: Deployment, spec: {replicas: two}}":      `cannot unmarshal`,
		"{apiVersion: v1, kind: Service, spec: {type: ClusterIP, ports: {}}}": `cannot unmarshal`,
	} {
		if err := new(manifests).add(document); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want one with %s", document, err, want)
		}
	}
}

func TestKubernetesManifestIsValid(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../kubernetes.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var m manifests
	m.addAll(t, "kubernetes.yaml", string(text))
	m.check(t)
}
