// Package fields encodes the fields of a record one after the other, which is smaller and faster than JSON.
package fields
