# How long each on a request's way waits, in seconds. Whoever stands nearer to
# the reader must give up before whoever stands behind him, or readers get
# errors for answers that come: event ping < answer < CloudFront < load balancer
# < nginx. A machine that leaves is asked for nothing more (drain) before it is
# stopped (stop). A test holds this table against the program's own values.
locals {
  limits = {
    event_ping  = 15 # a stream of events says that it lives
    answer_wait = 25 # GISTDEAL_ANSWER_WAIT
    origin_read = 60 # CloudFront waits for the load balancer; more needs a raised quota
    idle        = 75 # the load balancer waits for a machine
    proxy_read  = 90 # nginx waits for the program
    drain       = 30 # the load balancer lets requests end at a machine that leaves
    stop        = 60 # docker waits for the program's end
  }
}
