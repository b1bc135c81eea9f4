[[ var "job_name" . ]] runs as a system job[[ if var "dry_run" . ]], and promotes nothing (dry_run)[[ end ]].

Where ACLs are on it needs a policy:
    nomad acl policy apply -namespace [[ coalesce (var "namespace" .) "default" ]] -job [[ var "job_name" . ]] draingate policies/nomad.hcl

On a client:
    draingate status --addr [[ var "listen" . ]]
