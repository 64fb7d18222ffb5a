// Package validate checks the files of deploy with the parsers and types of the systems that read them: Kubernetes,
// Helm, Prometheus, Compose, Terraform and container runtimes.
//
// It is a module of its own, so that what it imports never becomes a requirement of hubgate. Run it with
//
//	go test -C deploy/validate -count=1 ./...
//
// Without -count=1, Go repeats an old result after a change in deploy or docs: its cache ignores files outside of the
// module.
package validate
