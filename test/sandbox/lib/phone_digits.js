'use strict';
// National digits of a phone text as CRMs standardise it for search: punctuation and extension
// dropped, calling code removed when the text says it is international, trunk 0 removed.
// A rough rule on purpose: this stands for the CRM, which is not libphonenumber either.
const TWO = new Set(('20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 54 55 56 57 58 60 61 62 63 64 65 66 81 82 84 86 90 91 92 93 94 95 98').split(' '));

function nationalDigits(raw) {
	if (raw === undefined || raw === null) return '';
	const text = String(raw).replace(/\s*(?:x|ext\.?|#|;ext=)\s*\d+\s*$/i, '').trim();
	let digits = text.replace(/\D/g, '');
	const international = text.startsWith('+') || digits.startsWith('00') && digits.length > 10;
	if (!international) {
		if (digits.length === 11 && digits.startsWith('1')) return digits.slice(1);
		return digits.replace(/^0+/, '');
	}
	digits = digits.replace(/^00/, '');
	if (digits.startsWith('1') || digits.startsWith('7')) digits = digits.slice(1);
	else digits = digits.slice(TWO.has(digits.slice(0, 2)) ? 2 : 3);
	return digits.replace(/^0+/, '');
}
const allDigits = raw => String(raw ?? '').replace(/\D/g, '');
module.exports = { nationalDigits, allDigits };
