package validate

import (
	"slices"
	"testing"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// check tests that the objects of an installation refer to each other: what the API server accepts and then never
// works.
func (m *manifests) check(t *testing.T) {
	t.Helper()
	if len(m.deployments) != 1 || len(m.configMaps) == 0 || len(m.services) == 0 {
		t.Fatalf("%d deployments, %d config maps, %d services", len(m.deployments), len(m.configMaps), len(m.services))
	}
	pod := m.deployments[0].Spec.Template
	m.checkSelectors(t, pod.Labels)
	checkProbes(t, pod.Spec.Containers[0])
	if pod.Spec.Containers[0].Resources.Limits.Memory().Value() > 0 {
		checkSoftMemory(t, pod.Spec.Containers[0])
	}
	checkServicePorts(t, m.services, pod.Spec.Containers[0])
	m.checkRoutes(t)
	m.checkVolumes(t, pod.Spec)
	checkRestricted(t, pod.Spec)
	for _, monitor := range m.monitors {
		m.checkMonitor(t, monitor.Spec.Selector, monitor.Spec.Endpoints[0].Port)
	}
	for _, scaler := range m.scalers {
		if m.deployments[0].Spec.Replicas != nil || scaler.Spec.ScaleTargetRef.Name != m.deployments[0].Name {
			t.Error("the scaler must own the number of replicas of the deployment")
		}
	}
}

func matches(t *testing.T, selector *meta.LabelSelector, set map[string]string) bool {
	t.Helper()
	s, err := meta.LabelSelectorAsSelector(selector)
	if err != nil {
		t.Fatal(err)
	}
	return !s.Empty() && s.Matches(labels.Set(set))
}

func (m *manifests) checkSelectors(t *testing.T, pod map[string]string) {
	t.Helper()
	selectors := map[string]*meta.LabelSelector{"deployment": m.deployments[0].Spec.Selector}
	for _, s := range m.services {
		selectors["service "+s.Name] = &meta.LabelSelector{MatchLabels: s.Spec.Selector}
	}
	for _, b := range m.budgets {
		selectors["budget"] = b.Spec.Selector
	}
	for _, p := range m.policies {
		selectors["network policy"] = &p.Spec.PodSelector
	}
	for _, c := range m.deployments[0].Spec.Template.Spec.TopologySpreadConstraints {
		selectors["spread over "+c.TopologyKey] = c.LabelSelector
	}
	for name, selector := range selectors {
		if !matches(t, selector, pod) {
			t.Errorf("the %s does not select the pods: %v, labels %v", name, selector, pod)
		}
	}
}

func hasPort(c core.Container, port intstr.IntOrString) bool {
	return slices.ContainsFunc(c.Ports, func(p core.ContainerPort) bool {
		return p.Name == port.StrVal || p.ContainerPort == port.IntVal
	})
}

func checkProbes(t *testing.T, c core.Container) {
	t.Helper()
	for path, probe := range map[string]*core.Probe{
		"/startupz": c.StartupProbe, "/livez": c.LivenessProbe, "/readyz": c.ReadinessProbe,
	} {
		switch {
		case probe == nil || probe.HTTPGet == nil:
			t.Errorf("no probe asks %s", path)
		case probe.HTTPGet.Path != path || !hasPort(c, probe.HTTPGet.Port):
			t.Errorf("the probe for %s asks %s at port %v", path, probe.HTTPGet.Path, probe.HTTPGet.Port.String())
		}
	}
}

func checkServicePorts(t *testing.T, services []*core.Service, c core.Container) {
	t.Helper()
	for _, s := range services {
		numbers := map[int32]bool{}
		for _, p := range s.Spec.Ports {
			if numbers[p.Port] {
				t.Errorf("service %s has port %d twice, which Kubernetes rejects", s.Name, p.Port)
			}
			numbers[p.Port] = true
			if !hasPort(c, p.TargetPort) {
				t.Errorf("service %s leads to port %v, which the container lacks", s.Name, p.TargetPort.String())
			}
			if p.TargetPort.StrVal == "admin" && s.Spec.ClusterIP != core.ClusterIPNone {
				t.Errorf("service %s is for visitors and leads to the admin port", s.Name)
			}
		}
	}
}

// checkRoutes tests that an Ingress and an HTTPRoute lead to a port of a Service.
func (m *manifests) checkRoutes(t *testing.T) {
	t.Helper()
	leads := func(name, portName string, number int32) bool {
		return slices.ContainsFunc(m.services, func(s *core.Service) bool {
			return s.Name == name && slices.ContainsFunc(s.Spec.Ports, func(p core.ServicePort) bool {
				return p.TargetPort.StrVal != "admin" && (p.Name == portName || p.Port == number)
			})
		})
	}
	for _, ingress := range m.ingresses {
		for _, rule := range ingress.Spec.Rules {
			if b := rule.HTTP.Paths[0].Backend.Service; !leads(b.Name, b.Port.Name, b.Port.Number) {
				t.Errorf("the Ingress for %s leads nowhere: %v", rule.Host, b)
			}
		}
	}
	for _, route := range m.routes {
		if b := route.Spec.Rules[0].BackendRefs[0]; !leads(string(b.Name), "", *b.Port) {
			t.Errorf("the HTTPRoute leads nowhere: %v", b)
		}
	}
}

func (m *manifests) checkMonitor(t *testing.T, selector meta.LabelSelector, port string) {
	t.Helper()
	var selected int
	for _, s := range m.services {
		if matches(t, &selector, s.Labels) {
			selected++
			if s.Spec.Ports[0].Name != port {
				t.Errorf("the monitor asks port %s of service %s, which lacks it", port, s.Name)
			}
		}
	}
	if selected != 1 {
		t.Errorf("the monitor selects %d services", selected)
	}
}

// checkVolumes tests that every mounted volume exists, and that the configuration is mounted as a folder, without which
// hubgate does not see changes.
func (m *manifests) checkVolumes(t *testing.T, pod core.PodSpec) {
	t.Helper()
	var folder bool
	for _, mount := range pod.Containers[0].VolumeMounts {
		i := slices.IndexFunc(pod.Volumes, func(v core.Volume) bool { return v.Name == mount.Name })
		if i < 0 {
			t.Errorf("volume %s does not exist", mount.Name)
			continue
		}
		c := pod.Volumes[i].ConfigMap
		if c != nil && slices.ContainsFunc(m.configMaps, func(m *core.ConfigMap) bool { return m.Name == c.Name }) {
			folder = mount.MountPath == "/etc/hubgate" && mount.SubPath == ""
		}
		if !mount.ReadOnly {
			t.Errorf("volume %s can be written", mount.Name)
		}
	}
	if !folder {
		t.Error("the configuration is not mounted as the folder /etc/hubgate")
	}
}

// checkRestricted tests the Pod Security Standard "restricted", and that the token of the API server stays outside.
func checkRestricted(t *testing.T, pod core.PodSpec) {
	t.Helper()
	if pod.AutomountServiceAccountToken == nil || *pod.AutomountServiceAccountToken {
		t.Error("the pod has a token for the API server")
	}
	p, c := pod.SecurityContext, pod.Containers[0].SecurityContext
	if p == nil || c == nil {
		t.Fatal("no security context")
	}
	for what, ok := range map[string]bool{
		"runAsNonRoot":             p.RunAsNonRoot != nil && *p.RunAsNonRoot,
		"seccompProfile":           p.SeccompProfile != nil && p.SeccompProfile.Type == core.SeccompProfileTypeRuntimeDefault,
		"readOnlyRootFilesystem":   c.ReadOnlyRootFilesystem != nil && *c.ReadOnlyRootFilesystem,
		"allowPrivilegeEscalation": c.AllowPrivilegeEscalation != nil && !*c.AllowPrivilegeEscalation,
		"capabilities":             c.Capabilities != nil && slices.Equal(c.Capabilities.Drop, []core.Capability{"ALL"}),
	} {
		if !ok {
			t.Errorf("%s does not fit the restricted profile", what)
		}
	}
}

// checkTestPod tests that the pod of helm test has what the gateway has, and never gets its visitors.
func (m *manifests) checkTestPod(t *testing.T) {
	t.Helper()
	if len(m.pods) != 1 {
		t.Fatalf("%d pods", len(m.pods))
	}
	pod, gateway := m.pods[0], m.deployments[0].Spec.Template.Spec
	m.checkVolumes(t, pod.Spec)
	checkRestricted(t, pod.Spec)
	if pod.Annotations["helm.sh/hook"] != "test" {
		t.Error("helm test does not run it")
	}
	for _, s := range m.services {
		if matches(t, &meta.LabelSelector{MatchLabels: s.Spec.Selector}, pod.Labels) {
			t.Errorf("service %s leads visitors to it", s.Name)
		}
	}
	c, g := pod.Spec.Containers[0], gateway.Containers[0]
	if c.Image != g.Image || !slices.Equal(c.Args, []string{"check", "--live"}) || len(c.Env) != len(g.Env) ||
		len(c.EnvFrom) != len(g.EnvFrom) || len(c.VolumeMounts) != len(g.VolumeMounts) {
		t.Errorf("it does not check what the gateway runs with:\n%v\n%v", c, g)
	}
}
