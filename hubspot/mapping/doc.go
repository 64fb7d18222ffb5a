// Package mapping maps people to contact properties: which value of a login, or of a row of a file, is written into
// which property, in which type, and which values cannot be written and why.
// It knows the section hubspot.contacts, what HubSpot's property definitions demand, and who must not become a contact.
// It compares a mapping with an account's properties and says which are missing. It never sends or stores a contact.
package mapping
