/** English texts of the views that are loaded when they are opened. The other languages have all of theirs in one file. */
import { addEnglish } from './language.ts'
import views from './locales/en.views.json'

addEnglish(views)
