// Package lint finds in files what drops requests when the job in them is
// deployed: it reads job specifications and Traefik's settings, lets the rules
// of package rule look at them, and says where in which file each finding
// stands. It also knows what the authors of the files chose to ignore.
//
// It must not hold rules about jobs, which are pure and stand in package rule,
// nor print: package report does.
package lint
