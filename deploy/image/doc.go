// Command image builds hubgate's container image without a container engine. The release uses it, and so can you:
//
//	go run ./deploy/image -layout dist/image
//
// It writes an OCI image layout for all platforms. Two builds of one commit, with the same Go version and certificate
// authorities, have the same digest. The Dockerfile uses it for the files of the image, and it reads the configuration
// of the image from the Dockerfile, so that the two cannot differ.
package main
