app {
  url = "https://github.com/draingate/draingate"
}

pack {
  name        = "draingate"
  description = "draingate promotes a canary only when that cannot drop a request. This pack runs it as a system job."
  version     = "0.1.0"
}
