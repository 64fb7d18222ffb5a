package fakesite

import (
	"html/template"
	"maps"
)

// content is the content of one page.
type content struct {
	Title string
	Lead  string
	Badge string // the audience; "" = everyone
	Kind  string // site | landing | post; "" = site
	Body  template.HTML
}

// contents returns all pages by path.
func contents() map[string]content {
	all := publicPages()
	maps.Copy(all, memberPages())
	maps.Copy(all, customerPages())
	maps.Copy(all, blogPages())
	return all
}

func publicPages() map[string]content {
	return map[string]content{
		"/": {
			Title: "Bicycles for weather",
			Lead: "We build touring, gravel and city bicycles in a small workshop by the harbour, " +
				"and we repair every one of them for life.",
			Body: `<div class="cards">
<a class="card" href="/pricing"><b>Three bicycles</b>` +
				`<span>Fjord, Tundra and Harbour: what they are and what they cost.</span></a>
<a class="card" href="/spring"><b>Spring offer</b><span>A second set of tyres with every bicycle.</span></a>
<a class="card" href="/members/"><b>Members</b><span>Handbook, tours and the workshop diary. Needs a login.</span></a>
<a class="card" href="/partners/"><b>Partners</b>` +
				`<span>Price list and stock for dealers. Needs the group partner.</span></a>
<a class="card" href="/customers/"><b>Customers</b>` +
				`<span>Service and spare parts. Needs a place in HubSpot's list Customers.</span></a>
<a class="card" href="/gold/"><b>Gold</b>` +
				`<span>For the membership tier gold, which HubSpot knows.</span></a>
<a class="card" href="/blog"><b>Notes from the road</b><span>What we rode, what broke, how we mended it.</span></a>
</div>`},
		"/pricing": {Title: "Pricing", Lead: "One price, everything included: fitting, first service, lights.",
			Body: `<table><tr><th>Model</th><th>For</th><th>Price</th></tr><tr><td>Fjord</td><td>Touring</td>` +
				`<td>1,690</td></tr><tr><td>Tundra</td><td>Gravel</td><td>2,140</td></tr><tr><td>Harbour</td>` +
				`<td>City</td><td>990</td></tr></table><p>Every bicycle comes with a membership: ` +
				`<a href="/members/join">how to join</a></p>`},
		"/spring": {Title: "Spring offer", Lead: "Until the end of May, we add a second set of tyres.", Kind: "landing",
			Body: `<p>Slicks for the road or knobs for the gravel: <a href="/pricing">choose a bicycle</a> first.</p>`},
		"/about": {
			Title: "About us", Lead: "Nine people, two cargo bikes, one espresso machine.",
			Body: `<p>Northwind began in a boat shed. The boats have gone; the smell of varnish has not.</p>`,
		},
		"/workshop": {
			Title: "Workshop", Lead: "The clock in the workshop, as it ticks.",
			Body: `<p class="clock" id="clock">…</p>` +
				`<script>new EventSource('/workshop/live').onmessage=` +
				`e=>{document.getElementById('clock').textContent=e.data}</script>`,
		},
	}
}

// memberPages returns the pages for members and partners.
func memberPages() map[string]content {
	return map[string]content{
		"/members": {Title: "Welcome, member", Lead: "You see this page because you are logged in.", Badge: "Members",
			Body: `<div class="cards"><a class="card" href="/members/handbook"><b>Handbook</b>` +
				`<span>Tyres, chains, cake.</span></a>` +
				`<a class="card" href="/members/tours?season=autumn&amp;level=easy"><b>Tours</b>` +
				`<span>Where we ride next.</span></a><a class="card" href="/hubfs/members/handbook.txt">` +
				`<b>Handbook as text</b><span>A file. Files have addresses of their own, and need a rule of their own.</span>` +
				`</a></div>`},
		"/members/handbook": {
			Title: "The handbook", Lead: "What every member should know.", Badge: "Members",
			Body: `<ul><li>2.4 bar in front, 2.6 behind.</li><li>A clean chain is a quiet chain.</li>` +
				`<li>Workshop on Thursdays. Bring cake.</li></ul>`,
		},
		"/members/tours": {
			Title: "Tours", Lead: "Three rides before the snow.", Badge: "Members",
			Body: `<ol><li>Lighthouse and back, 42 km</li><li>Round the bay, 68 km</li>` +
				`<li>The gravel of the old railway, 95 km</li></ol>`,
		},
		"/members/join": {
			Title: "Become a member", Lead: "Buy a bicycle, and you are one.",
			Body: `<p>Or <a href="/pricing">look at the bicycles</a> first.</p>`,
		},
		"/partners": {
			Title: "For partners",
			Lead:  "Dealers find prices and stock here.", Badge: "Partners",
			Body: `<p><a href="/partners/price-list">The price list</a></p>`,
		},
		"/partners/price-list": {
			Title: "Partner price list",
			Lead:  "Valid from January. Please do not share.", Badge: "Partners",
			Body: `<table><tr><th>Model</th><th>Price</th><th>In stock</th></tr><tr><td>Fjord</td><td>1,190</td>` +
				`<td>14</td></tr><tr><td>Tundra</td><td>1,540</td><td>6</td></tr><tr><td>Harbour</td>` +
				`<td>720</td><td>31</td></tr></table><p><a href="/hubfs/partners/price%20list%202026.txt">` +
				`The list as text</a></p>`},
	}
}

// customerPages returns the pages for people of whom HubSpot knows that they are customers.
func customerPages() map[string]content {
	return map[string]content{
		"/customers": {
			Title: "For customers", Lead: "You see this page because your contact is in HubSpot's list Customers.",
			Badge: "Customers",
			Body: `<ul><li>Free service in the first spring, and every second one after it.</li>` +
				`<li>Spare parts by post: write before Wednesday, ride on Saturday.</li></ul>`,
		},
		"/gold": {
			Title: "Gold", Lead: "You see this page because your contact has the membership tier gold.", Badge: "Gold",
			Body: `<p>The key to the workshop hangs where it always hung.</p>`,
		},
	}
}

// blogPages returns the blog and HubSpot's own pages.
func blogPages() map[string]content {
	return map[string]content{
		"/blog": {
			Title: "Notes from the road",
			Lead:  "What we rode, what broke, how we mended it.",
			Body: `<ul><li><a href="/blog/gravel-season">Gravel season</a></li><li>` +
				`<a href="/blog/a-wheel-in-an-evening">A wheel in an evening</a></li></ul><p>` +
				`<a href="/blog/rss.xml">Feed</a></p>`,
		},
		"/blog/gravel-season": {
			Title: "Gravel season", Lead: "The old railway is open again.", Kind: "post",
			Body: `<p>Ninety-five kilometres, four gates, one very large dog.</p>`,
		},
		"/blog/a-wheel-in-an-evening": {
			Title: "A wheel in an evening",
			Lead:  "Thirty-two spokes and a patient friend.", Kind: "post",
			Body: `<p>Lace, tension, true, and then true again after supper.</p>`,
		},
		"/hs-search-results": {Title: "Search", Lead: "", Body: ""},
		"/hs/manage-preferences/unsubscribe": {
			Title: "Your e-mail preferences",
			Lead:  "Choose which letters you get.",
			Body:  `<form method="post"><button>Unsubscribe from everything</button></form>`,
		},
	}
}
