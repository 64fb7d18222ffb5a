// Package backfill reads files of people who are to be imported as contacts: CSV with claims as columns, and the JSON
// of Cognito's ListUsers.
// It knows which rows can be imported and what is wrong with the others. It reads one row at a time, so that its memory
// does not grow with the file, except for a few bytes per person that find people who are in the file twice.
// It knows neither HubSpot nor the mapping.
package backfill
