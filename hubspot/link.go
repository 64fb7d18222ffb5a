package hubspot

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"regexp"

	"github.com/hubgate/hubgate/hubspot/crm"
	"github.com/hubgate/hubgate/hubspot/mapping"
	"github.com/hubgate/hubgate/hubspot/outbox"
)

// utkForm matches HubSpot's visitor id. Anything else is not its cookie, and HubSpot's form API rejects it.
var utkForm = regexp.MustCompile(`^[0-9a-f]{32}$`)

// canLink reports whether a login may link its browser's history to the contact. The cookie is controlled by the
// visitor, so a link needs a verified e-mail address and no opt-out.
func (s *settings) canLink(l outbox.Login) bool {
	return s.cfg.Visitors.Link == "form" && utkForm.MatchString(l.UTK) && !l.OptedOut &&
		l.EmailVerified && l.Subject != ""
}

// link submits the form for browsers that are not linked to their contact yet, and ends their jobs. It runs after the
// contact was written, and only if HubSpot finds it: from a submission with an unknown address HubSpot creates another
// contact.
func (b *batch) link(ctx context.Context) error {
	due, err := b.bindBrowsers(ctx)
	if err != nil || len(due) == 0 {
		return err
	}
	return b.submitAll(ctx, due)
}

// submitAll submits the forms of contacts that HubSpot finds.
func (b *batch) submitAll(ctx context.Context, due []*plan) error {
	emails := make([]string, len(due))
	for i, p := range due {
		emails[i] = p.key
	}
	contacts, failure := b.w.c.client.Read(ctx, emails, nil)
	if failure != nil {
		return b.linkFailed(ctx, due, failure)
	}
	for _, p := range due {
		submit := b.submit
		if contacts[p.key].Email() != p.key {
			// Deleted, or only a secondary address of a contact, which a submission would make the primary one.
			submit = b.closeJob
		}
		if err := submit(ctx, p); err != nil || b.stopped {
			return err
		}
	}
	return nil
}

// bindBrowsers binds the browsers and returns the plans to submit. It ends the jobs of browsers that are linked already
// or bound to another person.
func (b *batch) bindBrowsers(ctx context.Context) (due []*plan, err error) {
	for _, p := range b.linking {
		binding, err := b.w.outbox.Bind(ctx, p.job.Login)
		switch {
		case err != nil:
			return nil, err
		case binding == outbox.Bound:
			due = append(due, p)
			continue
		case binding == outbox.BoundToAnother:
			b.w.c.deps.Log.Info("browser history not linked to the contact: the browser is bound to another person",
				"subject", b.w.outbox.LogHash(p.job.Login))
		}
		if err := b.closeJob(ctx, p); err != nil {
			return nil, err
		}
	}
	return due, nil
}

// submit sends one form.
func (b *batch) submit(ctx context.Context, p *plan) error {
	if failure := b.w.c.client.Submit(ctx, submission(p.job.Login, p.key)); failure != nil {
		return b.linkFailed(ctx, []*plan{p}, failure)
	}
	if err := b.w.outbox.MarkSubmitted(ctx, p.job.Login); err != nil {
		return err
	}
	return b.closeJob(ctx, p)
}

// linkFailed handles a failed submission, or a failed read before submissions, which is repeated in halves until the
// contact that it fails for is alone. The contact is complete without the link: after a rejection or repeated failures
// the link is given up, never the contact.
func (b *batch) linkFailed(ctx context.Context, plans []*plan, failure error) error {
	if e := refusalOf(failure); e != nil && (e.LacksScopes() || len(plans) == 1) {
		return b.giveUpLinks(ctx, plans, e)
	}
	e, err := b.w.diagnose(ctx, plans, failure)
	switch {
	case e == nil:
		b.stopped = true
		return err
	case e.AboutCalls():
		return b.pause(ctx, plans, e)
	case len(plans) > 1:
		if timedOut(failure) {
			ctx = crm.WithLimit(ctx, doubtedLimit)
		}
		half := len(plans) / 2
		if err := b.submitAll(ctx, plans[:half]); err != nil || b.stopped {
			return err
		}
		return b.submitAll(ctx, plans[half:])
	case e.Transient() && plans[0].job.State.FailedAlone < maxFailedAlone:
		b.stopped = true
		return b.retryLater(ctx, plans[0], e, true)
	}
	return b.giveUpLinks(ctx, plans, e)
}

// refusalOf returns HubSpot's error if it rejected a call for good, or nil.
func refusalOf(failure error) *crm.APIError {
	var e *crm.APIError
	if !errors.As(failure, &e) || e.Transient() || e.Status == http.StatusUnauthorized {
		return nil
	}
	return e
}

// giveUpLinks ends the jobs of contacts whose browsers cannot be linked.
func (b *batch) giveUpLinks(ctx context.Context, plans []*plan, e *crm.APIError) error {
	if b.w.c.faults.firstTime("link " + e.Error()) {
		b.w.c.deps.Log.Warn("cannot link browser history to a contact", "error", e.Error())
	}
	for _, p := range plans {
		if err := b.closeJob(ctx, p); err != nil {
			return err
		}
	}
	return nil
}

func submission(l outbox.Login, email string) crm.Submission {
	return crm.Submission{Email: email, UTK: l.UTK, PageURI: pageURI(l), Address: l.Address}
}

// pageURI returns the page that the login was for, without its query.
func pageURI(l outbox.Login) string {
	return (&url.URL{Scheme: "https", Host: l.Host}).String() + mapping.PageOf(l.FirstPage)
}
