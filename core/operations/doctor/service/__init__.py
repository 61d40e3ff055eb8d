"""What the doctor finds at a running service, asked over HTTP as clients and balancers ask."""
