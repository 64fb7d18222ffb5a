// Package realredis starts a redis-server for a test.
// If none is installed, the test is skipped, unless HUBGATE_TEST_SERVICES contains redis.
// It never uses a server that is running already.
package realredis
