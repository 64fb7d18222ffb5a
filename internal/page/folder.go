package page

// look is what pages are made of: the embedded parts, and what the operator's folder has in their place.
type look struct {
	page, style string
	languages   map[string]catalogue
}

func loadLook(folder string) (look, error) {
	languages, err := embeddedLanguages()
	if err != nil {
		return look{}, err
	}
	page, err := embeddedTemplates.ReadFile("templates/page.html")
	if err != nil {
		return look{}, err
	}
	style, err := embeddedTemplates.ReadFile("templates/style.css")
	if err != nil {
		return look{}, err
	}
	return look{string(page), string(style), languages}, nil
}
