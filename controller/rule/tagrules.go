package rule

func tagRules() []Rule { return nil }
