job "odd" {
	group "g" {
		count=2
		/* a
		b */
		update { canary=2 }
		network {
			port "http" {}
		}
		task "t" {
			driver = "docker" /* x
 y */ // z
			service {
				name="t"
				port="http"
				tags=["traefik.enable=true"]
				check {
					type="http"
					path="/"
					interval="2s"
					timeout="1s"
				}
			}
		}
	}
}