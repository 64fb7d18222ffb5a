package validate

// These imports keep the requirements in go.mod until the checks that need them exist.
import (
	_ "github.com/compose-spec/compose-go/v2/loader"
	_ "github.com/google/go-containerregistry/pkg/v1/layout"
	_ "github.com/hashicorp/hcl/v2/hclsyntax"
	_ "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	_ "github.com/prometheus/prometheus/promql/parser"
	_ "helm.sh/helm/v3/pkg/chartutil"
	_ "helm.sh/helm/v3/pkg/engine"
	_ "k8s.io/api/apps/v1"
	_ "sigs.k8s.io/gateway-api/apis/v1"
)
