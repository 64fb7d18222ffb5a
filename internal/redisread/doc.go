// Package redisread reads values and lists of Redis without trusting their size: anyone who can write to Redis could
// otherwise fill the memory of every process that reads them (CWE-770).
// It knows GETRANGE, sorted sets, SCAN and pipelines, and combines the reads of concurrent requests into one round
// trip. It never interprets what it reads.
package redisread
