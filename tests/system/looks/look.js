// Opens pages and mails in Chromium and says what a reader would stumble over. For test_looks.py.
//
// In:  JSON on standard input: chromium, folder, widths, schemes, views[]: name, language, and url (with method, form,
//      headers) or html; is_mail; images "off" where the reader's program loads none.
// Out: JSON on standard output: one object a view, with its status and its faults; a picture of each view in the folder.

const fs = require('fs')
const path = require('path')
const { chromium } = require('playwright-core')

const axe = fs.readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8')
const TABS = 3
// What depends on the colours or on the width is asked again where they differ; all else is asked once.
const AXE_AT = { '600 light': null, '600 dark': ['color-contrast'], '320 light': ['target-size', 'scrollable-region-focusable'] }

// A mail stands inside the page of a mail program, which has the landmarks; opened by its link it is the same to the byte.
const NOT_FOR_MAILS = ['region', 'landmark-one-main']

const picture = `<svg xmlns="http://www.w3.org/2000/svg" width="1200" height="675"><defs><linearGradient id="g" x2="0" y2="1">
<stop stop-color="#e7b98c"/><stop offset=".6" stop-color="#7f93a8"/><stop offset="1" stop-color="#2d4458"/></linearGradient></defs>
<rect width="1200" height="675" fill="url(#g)"/><path d="M0 470q300-40 600 0t600 0v205H0z" fill="#1d3143"/>
<path d="M760 470l14-250h36l14 250z" fill="#f5efe6"/></svg>`

// Runs in the page.
function stumbling_blocks() {
    const found = []
    const say = (kind, what) => found.length < 20 && found.push({ kind, what })
    const root = document.scrollingElement
    if (root.scrollWidth > root.clientWidth) say('scrolls sideways', `${root.scrollWidth} in ${root.clientWidth} px`)
    const words = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
    while (words.nextNode()) {
        const text = words.currentNode.data.trim()
        const element = words.currentNode.parentElement
        if (!text || element.closest('[aria-hidden=true],style,title')) continue
        if (!element.checkVisibility({ visibilityProperty: true, opacityProperty: true })) continue
        const range = document.createRange()
        range.selectNodeContents(words.currentNode)
        const boxes = [...range.getClientRects()]
        if (boxes.length && parseFloat(getComputedStyle(element).fontSize) < 14)
            say('small letters', `${getComputedStyle(element).fontSize}: ${text.slice(0, 60)}`)
        for (let around = element; around; around = around.parentElement) {
            const style = getComputedStyle(around)
            if (style.overflowX === 'auto' || style.overflowX === 'scroll') break // the reader can get there
            const cuts = around === root || style.overflowX === 'hidden' || style.overflowX === 'clip'
            if (!cuts) continue
            const edge = around === root ? { left: 0, right: root.clientWidth } : around.getBoundingClientRect()
            const cut = boxes.some(box => box.width && (box.left < edge.left - 1 || box.right > edge.right + 1))
            if (cut) say('text is cut off', text.slice(0, 80))
        }
    }
    for (const image of document.images) {
        if (!image.hasAttribute('alt')) say('no alt', image.src)
        if (image.hasAttribute('width') && image.getBoundingClientRect().width > root.clientWidth) say('wide image', image.src)
    }
    return found
}

async function check_with_axe(page, view, only) {
    if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(axe)
    const options = { resultTypes: ['violations'] }
    if (only) options.runOnly = only
    else options.rules = { 'target-size': { enabled: true } }
    if (!only && view.is_mail) for (const rule of NOT_FOR_MAILS) options.rules[rule] = { enabled: false }
    const { violations } = await page.evaluate(options => axe.run(document, options), options)
    return violations.flatMap(({ id, nodes }) =>
        nodes.slice(0, 3).map(node => ({ kind: `axe ${id}`, what: `${node.html.slice(0, 160)} ${node.failureSummary ?? ''}` })))
}

async function open(page, view, said) {
    if (view.html) {
        await page.setContent(view.html, { waitUntil: 'load' })
        return 200
    }
    const response = await page.goto(view.url, { waitUntil: 'load' })
    // The console repeats the status; what else it says, the page did wrong.
    for (const line of said) if (!line.startsWith('Failed to load resource')) view.faults.push({ kind: 'console', what: line })
    const type = response.headers()['content-type'] ?? ''
    if (!type.startsWith('text/html')) view.faults.push({ kind: 'not HTML', what: type })
    return response.status()
}

async function look(context, view, plan) {
    view.faults = []
    const page = await context.newPage()
    if (view.headers) await page.setExtraHTTPHeaders(view.headers)
    const said = []
    page.on('console', line => line.type() === 'error' && said.push(line.text()))
    page.on('pageerror', error => said.push(String(error)))
    await page.route('**/*', route => {
        const request = route.request()
        const foreign = !view.url || new URL(request.url()).origin !== new URL(view.url).origin
        if (!foreign && request.isNavigationRequest() && view.method === 'POST')
            return route.continue({ method: 'POST', postData: view.form,
                headers: { ...request.headers(), 'content-type': 'application/x-www-form-urlencoded' } })
        if (!foreign) return route.continue()
        if (request.resourceType() !== 'image') {
            view.faults.push({ kind: 'third party', what: request.url() })
            return route.abort()
        }
        return view.images === 'off' ? route.abort() : route.fulfill({ contentType: 'image/svg+xml', body: picture })
    })
    view.status = await open(page, view, said)
    for (const scheme of plan.schemes) {
        await page.emulateMedia({ colorScheme: scheme })
        for (const width of plan.widths) {
            await page.setViewportSize({ width, height: width < 500 ? 640 : 800 })
            const at = fault => ({ ...fault, at: `${width} px, ${scheme}` })
            view.faults.push(...(await page.evaluate(stumbling_blocks)).map(at))
            const rules = AXE_AT[`${width} ${scheme}`]
            if (rules !== undefined) view.faults.push(...(await check_with_axe(page, view, rules)).map(at))
            const name = [view.name, view.language, width, scheme].join('_') + '.png'
            await page.screenshot({ path: path.join(plan.folder, name), fullPage: true })
        }
    }
    view.words = await page.evaluate(() => document.body.innerText)
    await page.close()
}

async function main() {
    const plan = JSON.parse(fs.readFileSync(0, 'utf8'))
    const browser = await chromium.launch({ executablePath: plan.chromium, args: ['--no-sandbox', '--disable-gpu'] })
    const waiting = [...plan.views]
    const contexts = {}
    for (const { language } of plan.views)
        contexts[language] ??= await browser.newContext({ locale: language, viewport: { width: 600, height: 800 } })
    const work = async () => {
        while (waiting.length) {
            const view = waiting.shift()
            await look(contexts[view.language], view, plan)
        }
    }
    await Promise.all(Array.from({ length: TABS }, work))
    await browser.close()
    const seen = plan.views.map(({ name, language, status, faults, words }) => ({ name, language, status, faults, words }))
    process.stdout.write(JSON.stringify(seen))
}

main().catch(error => { console.error(error); process.exit(1) })
