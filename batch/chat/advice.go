package chat

// Advice is one line for operators on what to do about a fault; empty where there is nothing to say.
func (k Kind) Advice() string {
	switch k {
	case TLSFault:
		return "check --endpoint, this machine's clock and its certificates; the connection is never made without verifying the server"
	case RedirectFault:
		return "check --endpoint: the API never redirects, so this is not the API"
	case HTTP4xx:
		return "check --endpoint: the API answers every request with status 200, so a proxy or another server said no"
	case DialFault:
		return "check the network, and --region or --endpoint"
	}
	return ""
}
