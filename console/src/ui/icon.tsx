/** Line drawings on a field of 16 by 16, in the colour of the text beside them. */
const drawings = {
  overview: 'M2 9.5h2.6l1.7-5 3 8 1.9-4.5h2.8',
  messages: 'M2.5 4.2h11v7.6h-11zM2.8 4.6 8 8.6l5.2-4',
  people:
    'M8 8.2a2.6 2.6 0 1 0 0-5.2 2.6 2.6 0 0 0 0 5.2zM3 13.4c.5-2.4 2.4-3.7 5-3.7s4.5 1.3 5 3.7',
  apps: 'M4.5 1.900h7v12.200h-7zM7.2 12h1.6',
  keys: 'M6 10a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM8.3 8.600l5.2 5.200M11 11.300l1.6-1.600M12.6 12.900l1-1',
  audit: 'M3.5 2.500h9v11h-9zM5.6 5.500h4.800M5.6 8h4.800M5.6 10.500h3',
  queues: 'M2.5 4h11M2.5 8h11M2.5 12h7',
  search: 'M7 11.500a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9zM10.4 10.4 14 14',
  close: 'M4 4l8 8M12 4l-8 8',
  menu: 'M2.5 4.500h11M2.5 8h11M2.5 11.500h11',
  copy: 'M5.5 5.500h7.500v7.500H5.500zM3 10.500V3h7.5',
  check: 'M3 8.500l3.2 3.200L13 5',
  warning: 'M8 2.3 14.3 13.400H1.700zM8 6.400v3.300M8 11.400v.4',
  fault: 'M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM8 5v3.600M8 10.700v.4',
  external: 'M6.5 3.500h-3v9h9v-3M9 2.800h4.200V7M13 3 7.5 8.5',
  light:
    'M8 10.800a2.8 2.8 0 1 0 0-5.6 2.8 2.8 0 0 0 0 5.600zM8 1.500v1.400M8 13.100v1.400M1.5 8h1.400M13.1 8h1.400M3.4 3.400l1 1M11.6 11.600l1 1M3.4 12.600l1-1M11.6 4.400l1-1',
  dark: 'M13.3 9.600A5.6 5.6 0 0 1 6.4 2.700a5.6 5.6 0 1 0 6.9 6.900z',
  system: 'M2 3.300h12v7.700H2zM5.6 13.500h4.800M8 11v2.5',
  signOut: 'M6.5 2.800h-3.500v10.400h3.500M10.2 5.2 13 8l-2.8 2.800M13 8H6.5',
  phone: 'M5 1.900h6v12.200H5zM7.3 12.200h1.4',
  arrow: 'M3 8h9.500M9 4.5 12.5 8 9 11.5',
  down: 'M4 6.2 8 10.200l4-4',
} as const

export type IconName = keyof typeof drawings

/** A drawing; it says nothing to a screen reader, the text beside it does. */
export function Icon({ name }: { name: IconName }) {
  return (
    <svg className="icon" viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      <path d={drawings[name]} />
    </svg>
  )
}
