# The timeouts on the way of a request, in seconds. A hop must time out later than
# the hop behind it answers, or clients get errors for answers that still come:
# event ping < answer < CloudFront < load balancer < nginx. A machine gets no more
# requests (drain) before it is stopped (stop). A test compares this table with the
# program's values.
locals {
  limits = {
    event_ping   = 15 # a stream of events says that it lives
    request_wait = 25 # GISTDEAL_REQUEST_WAIT
    origin_read  = 60 # CloudFront waits for the load balancer; more needs a raised quota
    idle         = 75 # the load balancer waits for a machine
    proxy_read   = 90 # nginx waits for the program
    drain        = 30 # the load balancer lets requests end at a machine that leaves
    stop         = 60 # docker waits for the program's end
  }
}
