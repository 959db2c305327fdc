// Package matching compares applicants with a posting. It reads requirements
// from the posting, looks for evidence of each in the applicant's documents,
// has a judge give verdicts, checks every quote against its source and computes
// the score from the verdicts in code. It never lets a judge set a score.
package matching
