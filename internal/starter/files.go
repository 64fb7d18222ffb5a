package starter

import (
	"bytes"
	"crypto/rand"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"text/template"

	"github.com/hubgate/hubgate/auth"
	"github.com/hubgate/hubgate/internal/config"
	"github.com/hubgate/hubgate/internal/seal"
	"github.com/hubgate/hubgate/internal/setting"
)

// File is a file to write.
type File struct {
	Name, text string
	mode       fs.FileMode
}

// SecretsFile is the name of the file with the secrets, in lines of NAME=value: a shell, systemd and Docker read it.
const SecretsFile = ".env"

//go:embed files
var sources embed.FS

func templates() []string { return []string{setting.None, "cloudformation", "terraform"} }

// templateFile returns the name of the file with the app client, or "".
func (a *Answers) templateFile() string {
	return map[string]string{"cloudformation": "cognito.yaml", "terraform": "cognito.tf"}[a.Template]
}

// Files returns the files for the answers, with a new session key and a new admin token.
func (a *Answers) Files() ([]File, error) {
	files := []File{{Name: config.FileName, mode: 0o644}, {Name: SecretsFile, mode: 0o600}}
	if name := a.templateFile(); name != "" {
		files = append(files, File{Name: name, mode: 0o644})
	}
	all, err := template.ParseFS(sources, "files/*")
	if err != nil {
		return nil, err
	}
	values := map[string]any{
		"Answers": a, "TLS": strings.HasPrefix(a.Site, "https:"), "Key": seal.NewKey(), "Token": rand.Text(),
	}
	for i, f := range files {
		var text bytes.Buffer
		if err := all.ExecuteTemplate(&text, strings.TrimPrefix(f.Name, ".")+".tmpl", values); err != nil {
			return nil, err
		}
		files[i].text = text.String()
	}
	return files, nil
}

// Vacant returns an error if one of the files that every site has exists in a folder.
func Vacant(folder string) error {
	return vacant(folder, []File{{Name: config.FileName}, {Name: SecretsFile}})
}

func vacant(folder string, files []File) error {
	var exist []string
	for _, f := range files {
		if _, err := os.Lstat(filepath.Join(folder, f.Name)); !errors.Is(err, fs.ErrNotExist) {
			exist = append(exist, f.Name)
		}
	}
	if len(exist) > 0 {
		return fmt.Errorf("nothing was written, because of files that exist: %s; move them away, or work in another folder",
			strings.Join(exist, ", "))
	}
	return nil
}

// Write creates the files in a folder. It never replaces a file, and follows no link (CWE-59): if one exists, it writes
// none.
func Write(folder string, files []File) (err error) {
	if err := vacant(folder, files); err != nil {
		return err
	}
	for i, f := range files {
		if err := create(filepath.Join(folder, f.Name), f); err != nil {
			for _, written := range files[:i] {
				err = errors.Join(err, os.Remove(filepath.Join(folder, written.Name)))
			}
			return err
		}
	}
	return nil
}

func create(path string, f File) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, f.mode)
	if err != nil {
		return err
	}
	_, err = file.WriteString(f.text)
	if err = errors.Join(err, file.Close()); err != nil {
		err = errors.Join(err, os.Remove(path))
	}
	return err
}

// CallbackURL returns the callback URL to register at the app client.
func (a *Answers) CallbackURL() string { return a.Site + auth.DefaultConfig().Prefix + "/callback" }

// SignOutURL returns the sign-out URL to register at the app client.
func (a *Answers) SignOutURL() string { return a.Site + auth.DefaultConfig().Prefix + "/signed_out" }

// AWSRegion returns the AWS region of the user pool.
func (a *Answers) AWSRegion() string {
	region, _, _ := strings.Cut(a.UserPool, "_")
	return region
}

// Steps returns what is left to do, the last one being the next commands for hubgate, which program runs. A step may
// have several lines.
func (a *Answers) Steps(program string) []string {
	var steps []string
	switch a.Template {
	case "cloudformation":
		steps = append(steps, "create the app client:\naws cloudformation deploy --region "+a.AWSRegion()+
			" --stack-name hubgate-login --template-file cognito.yaml")
	case "terraform":
		steps = append(steps, "create the app client:\nterraform init && terraform apply")
	default:
		steps = append(steps, "register both URLs at the app client; docs/install.md has its other settings")
	}
	names := []string{"COGNITO_CLIENT_SECRET", "HUBSPOT_TOKEN"}
	if a.ClientID == "" {
		names = append([]string{"COGNITO_CLIENT_ID"}, names...)
	}
	return append(steps, "fill in "+strings.Join(names, ", ")+" in "+SecretsFile,
		"start Redis at 127.0.0.1:6379, or write the URL of yours into session.redis of "+config.FileName,
		"check everything, then serve:\nset -a; . ./"+SecretsFile+"; set +a\n"+program+" check --live\n"+program+" serve")
}
