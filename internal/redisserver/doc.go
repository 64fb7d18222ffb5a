// Package redisserver examines a Redis server: whether it is new enough, keeps what is written to it, and permits what
// hubgate does.
// It knows the replies to INFO, CONFIG and HELLO, and what the operator of a hosted Redis can change.
// It never changes the server, apart from the keys that CheckPermissions writes and deletes.
package redisserver
