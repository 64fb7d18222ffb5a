// Package seal is the key ring: it encrypts, authenticates and pseudonymizes what hubgate stores or hands to browsers.
// It knows the operator's session.keys: the first one seals, all of them open. HKDF-SHA256 (RFC 5869) derives one key
// per purpose (Label) from each; sealed values are AES-256-GCM with a random nonce, a format byte and their key's id.
// It never opens a value for a purpose other than the one it was sealed for.
// It imports no other package of hubgate.
package seal
