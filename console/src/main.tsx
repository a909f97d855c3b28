import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { ApiError, whenSignedOut } from './api/client.ts'
import { prefetchOverview } from './api/queries.ts'
import { App } from './app.tsx'
import { applyTheme } from './ui/theme.tsx'
import { ToastProvider } from './ui/toast.tsx'
import './styles/index.css'

const client = new QueryClient({
  defaultOptions: {
    queries: {
      // What the server refuses it refuses again; what did not answer may.
      retry: (failures, error) => failures < 2 && error instanceof ApiError && error.status === 0,
      staleTime: 2000,
    },
  },
})

whenSignedOut(() => client.setQueryData(['session'], null))
applyTheme()
if (/^\/ops\/?$/.test(window.location.pathname)) prefetchOverview(client)

const root = document.getElementById('root')
if (!root) throw new Error('the page has no place for the console')
createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={client}>
      <ToastProvider>
        <App />
      </ToastProvider>
    </QueryClientProvider>
  </StrictMode>,
)
