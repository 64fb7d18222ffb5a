package validate

import (
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

func TestTerraformVariablesAreDescribedAndHoldNoSecret(t *testing.T) {
	t.Parallel()
	for _, block := range readTerraform(t).blocks {
		if block.Type != "variable" && block.Type != "output" {
			continue
		}
		name, attributes := block.Labels[0], block.Body.Attributes
		if description := literal(t, attributes["description"]); !strings.HasSuffix(description, ".") {
			t.Errorf("%s %s has the description %q", block.Type, name, description)
		}
		if block.Type == "variable" && attributes["type"] == nil {
			t.Errorf("variable %s has no type", name)
		}
		for _, word := range []string{"password", "token", "key"} { // secrets would be in the state
			if strings.HasSuffix(name, word) {
				t.Errorf("%s %s is a secret", block.Type, name)
			}
		}
	}
}

// literal returns the text of an attribute without references; "" if it is not there.
func literal(t *testing.T, attribute *hclsyntax.Attribute) string {
	t.Helper()
	if attribute == nil {
		return ""
	}
	value, problems := attribute.Expr.Value(nil)
	if problems.HasErrors() {
		t.Fatal(problems)
	}
	return value.AsString()
}

// variableCases has a value that each validation accepts, and those that it must reject.
var variableCases = map[string]struct {
	good cty.Value
	bad  []cty.Value
}{
	"name":      {cty.StringVal("hubgate"), texts("", "Hubgate", "1gate", strings.Repeat("a", 21), "a_b")},
	"site_url":  {cty.StringVal("https://www.example.com"), texts("http://a.example", "https://a.example/", "a.example")},
	"vpc_cidr":  {cty.StringVal("10.20.0.0/16"), texts("10.20.0.0", "private")},
	"zones":     {cty.NumberIntVal(2), numbers(1, 5)},
	"min_tasks": {cty.NumberIntVal(2), numbers(0, 1)},
	"image": {cty.StringVal("ghcr.io/hubgate/hubgate:1.2.3"),
		texts("ghcr.io/hubgate/hubgate", "ghcr.io/hubgate/hubgate:latest", "ghcr.io/hubgate/hubgate:1")},
	"origin": {cty.StringVal("https://12345678.sites-proxy.hscoscdn20.net"),
		texts("https://www.example.com", "https://HUBID.sites-proxy.hscoscdn20.net")},
}

func texts(all ...string) (values []cty.Value) {
	for _, text := range all {
		values = append(values, cty.StringVal(text))
	}
	return values
}

func numbers(all ...int64) (values []cty.Value) {
	for _, n := range all {
		values = append(values, cty.NumberIntVal(n))
	}
	return values
}

func TestTerraformValidationsRejectMistakes(t *testing.T) {
	t.Parallel()
	var validated []string
	for _, block := range readTerraform(t).blocks {
		for _, validation := range block.Body.Blocks {
			if block.Type != "variable" || validation.Type != "validation" {
				continue
			}
			name := block.Labels[0]
			validated = append(validated, name)
			accepts := func(value cty.Value) bool {
				given := cty.ObjectVal(map[string]cty.Value{name: value})
				result, problems := validation.Body.Attributes["condition"].Expr.Value(&hcl.EvalContext{
					Variables: map[string]cty.Value{"var": given}, Functions: terraformFunctions()})
				if problems.HasErrors() {
					t.Fatal(problems)
				}
				return result.True()
			}
			if !accepts(variableCases[name].good) {
				t.Errorf("%s rejects %#v", name, variableCases[name].good)
			}
			for _, value := range variableCases[name].bad {
				if accepts(value) {
					t.Errorf("%s accepts %#v", name, value)
				}
			}
		}
	}
	slices.Sort(validated)
	if !slices.Equal(validated, slices.Sorted(maps.Keys(variableCases))) {
		t.Errorf("validated are %v", validated)
	}
}

// TestDocumentedTerraformVariablesAreComplete compares the values that docs/aws.md sets with the variables.
func TestDocumentedTerraformVariablesAreComplete(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/aws.md")
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(text), "```hcl\n")
	values, _, found := strings.Cut(after, "```")
	file, problems := hclsyntax.ParseConfig([]byte(values), "docs/aws.md", hcl.InitialPos)
	if !found || problems.HasErrors() {
		t.Fatal("docs/aws.md has no values of variables: ", problems)
	}
	documented := file.Body.(*hclsyntax.Body).Attributes
	module := readTerraform(t)
	for name := range documented {
		if !module.declared["var."+name] {
			t.Errorf("docs/aws.md sets %s, which is not a variable", name)
		}
	}
	for _, block := range module.blocks {
		if block.Type == "variable" && block.Body.Attributes["default"] == nil && documented[block.Labels[0]] == nil {
			t.Errorf("docs/aws.md does not set %s, which is required", block.Labels[0])
		}
	}
}
