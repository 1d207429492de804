// Package reconcile brings the rows in line with the deals that Pipedrive has: it
// adopts deals that the database does not know, looks up the deals of attempts in
// doubt, audits all deals and repairs discrepancies. It owns every list of deals
// and the estimate of Pipedrive's clock. It creates no deal.
package reconcile
