package rule

func overlapRules() []Rule { return nil }
