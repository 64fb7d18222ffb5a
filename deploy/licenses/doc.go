// Command licenses writes THIRD_PARTY_LICENSES: the license texts of everything that the hubgate binaries contain, on
// all platforms of a release. Run it after a change of go.mod:
//
//	go run ./deploy/licenses
//
// It never guesses a license. It compares each text with the ones that a person has read and approved (approved.go),
// and fails for any other text and for a module without one.
package main
