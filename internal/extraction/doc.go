// Package extraction turns the bytes of a document, or a web address, into text
// page by page. Everything that parses untrusted structure runs in a child
// process with hard limits (Sandbox); the parent only moves bytes and frames.
package extraction
