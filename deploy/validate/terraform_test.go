package validate

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclparse"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"
)

// terraform is deploy/terraform: its blocks, and what other blocks can refer to.
type terraform struct {
	blocks   []*hclsyntax.Block
	locals   map[string]hclsyntax.Expression
	declared map[string]bool // such as var.region, local.port, aws_vpc.main and data.aws_secretsmanager_secret.operator
}

func readTerraform(t *testing.T) *terraform {
	t.Helper()
	files, err := filepath.Glob("../terraform/*.tf")
	if err != nil || len(files) < 5 {
		t.Fatalf("found %d files: %v", len(files), err)
	}
	module := &terraform{locals: map[string]hclsyntax.Expression{}, declared: map[string]bool{}}
	parser := hclparse.NewParser()
	for _, name := range files {
		file, problems := parser.ParseHCLFile(name)
		if problems.HasErrors() {
			t.Fatal(problems)
		}
		module.add(file.Body.(*hclsyntax.Body))
	}
	return module
}

func (m *terraform) add(body *hclsyntax.Body) {
	m.blocks = append(m.blocks, body.Blocks...)
	for _, block := range body.Blocks {
		labels := strings.Join(block.Labels, ".")
		switch block.Type {
		case "variable":
			m.declared["var."+labels] = true
		case "resource":
			m.declared[labels] = true
		case "data", "ephemeral":
			m.declared[block.Type+"."+labels] = true
		case "locals":
			for name, attribute := range block.Body.Attributes {
				m.declared["local."+name] = true
				m.locals[name] = attribute.Expr
			}
		}
	}
}

// references returns what the expressions of a body refer to, as declared has it, with the place of each.
func references(body *hclsyntax.Body) map[string]hcl.Range {
	found := map[string]hcl.Range{}
	for _, attribute := range body.Attributes {
		for _, traversal := range attribute.Expr.Variables() {
			found[reference(traversal)] = traversal.SourceRange()
		}
	}
	for _, block := range body.Blocks {
		if block.Type != "lifecycle" { // names attributes of its own resource
			maps.Copy(found, references(block.Body))
		}
	}
	return found
}

func reference(traversal hcl.Traversal) string {
	parts := []string{traversal.RootName()}
	length := 2
	if root := parts[0]; root == "data" || root == "ephemeral" {
		length = 3
	}
	for _, step := range traversal[1:] {
		if attribute, is := step.(hcl.TraverseAttr); is && len(parts) < length {
			parts = append(parts, attribute.Name)
		}
	}
	return strings.Join(parts, ".")
}

func TestTerraformReferencesAreDeclared(t *testing.T) {
	t.Parallel()
	module := readTerraform(t)
	used := map[string]bool{}
	for _, block := range module.blocks {
		for name, place := range references(block.Body) {
			used[name] = true
			switch {
			case module.declared[name], name == "path.module", name == "count.index", name == "each.value":
			case block.Type == "variable" && (name == "string" || name == "number"): // its type
			default:
				t.Errorf("%s: %s is not declared", place, name)
			}
		}
	}
	for name := range module.declared {
		if (strings.HasPrefix(name, "var.") || strings.HasPrefix(name, "local.")) && !used[name] {
			t.Errorf("%s is not used", name)
		}
	}
}

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

func TestTerraformIsFormatted(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../terraform/*.tf")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if formatted := hclwrite.Format(text); !bytes.Equal(formatted, text) {
			t.Errorf("terraform fmt would change %s to\n%s", name, formatted)
		}
	}
}

func TestTerraformPinsItsProvider(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../terraform/versions.tf")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), `version = "~> 6.62"`) {
		t.Error("the provider's major version is not pinned")
	}
}
