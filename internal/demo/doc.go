// Package demo runs the gateway with a fake site, identity provider and CRM, all in one process on this machine.
//
// It knows the fakes and the configuration that points at them. It never changes what the gateway does: the demo
// differs from serve in addresses and credentials only.
package demo
