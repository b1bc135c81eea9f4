package rule

func gateRules() []Rule { return nil }
