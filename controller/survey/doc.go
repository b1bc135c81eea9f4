// Package survey has what the rules find in live jobs: in all service jobs of a
// Nomad, kept up to date as they change, and in the version of a job that is
// deployed, for the conditions of its deployment.
//
// It must not write to any system, nor decide anything about a deployment.
package survey
