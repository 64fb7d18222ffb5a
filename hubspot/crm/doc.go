// Package crm calls HubSpot's API: contacts, property definitions, lists, forms, and the pages of the account's
// websites.
// It knows HubSpot's endpoints, spellings and limits, what its responses and errors mean, and which values a property
// accepts. Client makes calls within a rate limit that its caller provides; Account is for operators, and retries.
// It never stores anything, never logs, and never decides what becomes of a contact that HubSpot rejects: it returns
// an *APIError, whose texts hold no e-mail addresses and no tokens.
package crm
