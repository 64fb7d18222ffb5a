// Package realredis starts a redis-server for a test, and restores what an earlier version of hubgate left in Redis.
// If no redis-server is installed, the test is skipped, unless HUBGATE_TEST_SERVICES contains redis.
// It never uses a server that is running already.
package realredis
