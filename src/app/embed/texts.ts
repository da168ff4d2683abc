/** English texts of the views that other sites embed. The other languages have all of theirs in one file. */
import { addEnglish } from '../language.ts'
import embed from '../locales/en.embed.json'

addEnglish(embed)
