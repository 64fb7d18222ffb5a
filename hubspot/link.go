package hubspot

import (
	"context"
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
	emails := make([]string, len(due))
	for i, p := range due {
		emails[i] = p.key
	}
	contacts, err := b.w.c.client.Read(ctx, emails, nil)
	for _, p := range due {
		var stop bool
		switch {
		case err != nil:
			stop, err = b.linkFailed(ctx, p, err)
		case contacts[p.key].Email() != p.key:
			// Deleted, or only a secondary address of a contact, which a submission would make the primary one.
			err = b.closeJob(ctx, p)
		default:
			stop, err = b.submit(ctx, p)
		}
		if err != nil || stop {
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

// submit sends one form. stop reports whether nothing more can be sent now.
func (b *batch) submit(ctx context.Context, p *plan) (stop bool, err error) {
	if err := b.w.c.client.Submit(ctx, submission(p.job.Login, p.key)); err != nil {
		return b.linkFailed(ctx, p, err)
	}
	if err := b.w.outbox.MarkSubmitted(ctx, p.job.Login); err != nil {
		return true, err
	}
	return false, b.closeJob(ctx, p)
}

// linkFailed handles a failed submission. The contact is complete without it: after a rejection or repeated failures
// the link is given up, never the contact.
func (b *batch) linkFailed(ctx context.Context, p *plan, failure error) (stop bool, err error) {
	e, err := b.w.apiError(ctx, failure)
	switch {
	case e == nil:
		return true, err
	case e.Status == http.StatusUnauthorized, e.Transient() && p.job.State.FailedAlone < maxFailedAlone:
	default:
		if b.w.c.faults.firstTime("link " + e.Error()) {
			b.w.c.deps.Log.Warn("cannot link browser history to a contact", "error", e.Error())
		}
		return false, b.closeJob(ctx, p)
	}
	if e, err = b.w.diagnose(ctx, e); e == nil {
		return true, err
	}
	if e.AboutCalls() {
		return true, b.pause(ctx, []*plan{p}, e)
	}
	return true, b.retryLater(ctx, p, e, true)
}

func submission(l outbox.Login, email string) crm.Submission {
	return crm.Submission{Email: email, UTK: l.UTK, PageURI: pageURI(l), Address: l.Address}
}

// pageURI returns the page that the login was for, without its query.
func pageURI(l outbox.Login) string {
	return (&url.URL{Scheme: "https", Host: l.Host}).String() + mapping.PageOf(l.FirstPage)
}
