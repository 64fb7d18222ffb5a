package main

// approved are the fingerprints of the license texts that a person has read: the SPDX expression of each, and after the
// double slash one of the modules that have the text. All of them allow to distribute hubgate's binaries with the text.
// Before you approve another license, check that it is not a copyleft one, which may ask for more than that.
var approved = map[string]string{
	"37599287c15c2f2e": "Apache-2.0", // github.com/spf13/cobra
	"95f35d79ea3bab75": "Apache-2.0", // github.com/caddyserver/certmagic: with the appendix
	"e87dea5078ce2faa": "Apache-2.0", // github.com/inconshreveable/mousetrap: with its own year in the appendix

	"4b65446dc65c9d3c": "Apache-2.0 AND BSD-3-Clause", // go.opentelemetry.io/otel

	"0cf21bdfd1964a97": "MIT", // github.com/beorn7/perks
	"35a446201226de6b": "MIT", // github.com/cespare/xxhash: "MIT License"
	"6c833965e9ca4cf8": "MIT", // github.com/alicebob/miniredis: "The MIT License (MIT)"
	"ee043640a5b64e59": "MIT", // github.com/alicebob/miniredis, metro: says what it is a translation of

	"1083d3dcf348b543": "MIT AND Apache-2.0", // gopkg.in/yaml.v3

	"7be8178e4e9d0dea": "BSD-2-Clause", // github.com/redis/go-redis

	"0bb2ccd6c864bf62": "BSD-3-Clause", // github.com/grpc-ecosystem/grpc-gateway: names Gengo, Inc.
	"4ada7914b7de1358": "BSD-3-Clause", // github.com/fsnotify/fsnotify
	"526279aa5ce65fb2": "BSD-3-Clause", // google.golang.org/protobuf: names Google Inc.
	"9c1c2bcc686d76b3": "BSD-3-Clause", // github.com/munnerz/goautoneg: names the Open Knowledge Foundation Ltd.
	"cb1ce31a60c2422f": "BSD-3-Clause", // Go: names Google LLC
	"cc65957a28f15bbc": "BSD-3-Clause", // github.com/miekg/dns

	"01465de10f166164": "CC0-1.0",   // github.com/zeebo/blake3
	"7a4d92cdb11d2549": "Unlicense", // github.com/alicebob/miniredis, gopher-json
	"f6855c80234da90b": "BSL-1.0",   // github.com/alicebob/miniredis, fpconv: the Boost Software License
}
