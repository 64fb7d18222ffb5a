package validate

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclparse"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
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
