// Package judge applies the rules of package rule to jobs as they are known to a
// running controller: with the settings that each proxy really has, the measured
// load, and the version that runs now. What is not known is a finding.
//
// It must not read anything, and what it says must not promote or hold: the
// gate has its own reasons for that.
package judge
