// Package hubspot syncs logins to HubSpot contacts: Enqueue adds a login to a queue in Redis before the visitor gets a
// response, and Run, on one replica at a time, sends the queue in batches within one rate limit for all replicas.
// It knows how a batch is taken, planned, sent and settled, and how every value that does not arrive is accounted for.
// It never drops an entry before HubSpot's response to it has been processed, and never lets a login wait for HubSpot.
// Contacts that HubSpot rejects for good become dead letters. See also hubspot/mapping, hubspot/outbox, hubspot/crm.
package hubspot
