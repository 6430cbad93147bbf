/** Where code runs and what time it is, as something that is passed in: the same core runs on a thread or in virtual time. */
@NullMarked
package io.mooring.runtime;

import org.jspecify.annotations.NullMarked;
