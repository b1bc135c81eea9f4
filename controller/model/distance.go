package model

// EditDistance is the Levenshtein distance of two names: how many characters
// must be put in, taken out or replaced to turn a into b. It stands here
// because what suggests a known word for a mistyped one, in tags and in meta
// keys, has only this package in common.
func EditDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replace := diagonal
			if a[i] != b[j] {
				replace++
			}
			diagonal = row[j+1]
			row[j+1] = min(replace, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
