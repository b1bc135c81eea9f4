package rule

func proxyRules() []Rule { return nil }
